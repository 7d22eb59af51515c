<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- page-refusal.xsl: the pages that say why a request was refused and how to go on: expired,
     cross-site, other-tab, not-found, method, busy, unavailable, invalid, insecure. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:template match="page" mode="body">
    <p class="lead"><xsl:value-of select="m:text(concat(@name, '.text'))"/></p>
    <xsl:apply-templates select="." mode="way-on"/>
  </xsl:template>

  <xsl:template match="page[@name = 'busy']" mode="body">
    <xsl:variable name="wait">
      <xsl:call-template name="duration">
        <xsl:with-param name="seconds" select="wait/@seconds"/>
      </xsl:call-template>
    </xsl:variable>
    <p class="lead"><xsl:value-of select="m:text('busy.text', string($wait))"/></p>
    <xsl:apply-templates select="." mode="way-on"/>
  </xsl:template>

  <xsl:template match="page" mode="way-on">
    <p class="actions">
      <xsl:apply-templates select="sign-in | start | go-on | again"/>
      <xsl:apply-templates select="." mode="to-home"/>
    </p>
  </xsl:template>

  <xsl:template match="start">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="@href"/>
      <xsl:with-param name="key">
        <xsl:choose>
          <xsl:when test="/page/@name = 'insecure'">onward.secure</xsl:when>
          <xsl:otherwise>onward.start</xsl:otherwise>
        </xsl:choose>
      </xsl:with-param>
      <xsl:with-param name="class" select="'button primary'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="go-on">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="@href"/>
      <xsl:with-param name="key" select="'onward.go-on'"/>
      <xsl:with-param name="class" select="'button primary'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="again">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="@href"/>
      <xsl:with-param name="key" select="'onward.again'"/>
      <xsl:with-param name="class" select="'button primary'"/>
    </xsl:call-template>
  </xsl:template>

</xsl:stylesheet>
